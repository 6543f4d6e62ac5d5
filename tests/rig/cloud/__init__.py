"""Real parts that stand in for Google Cloud: cloud.py joins them, one module per part."""
