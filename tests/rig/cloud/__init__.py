"""Real parts that stand in for Google Cloud: see cloud.py for the whole, one room per part."""
