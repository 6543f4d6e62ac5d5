#!/bin/sh
# As root: containers with a network of their own, such as the model's, get no further than names at
# the cloud's metadata server, which would give them a token of this machine's account. The job and
# Dask have the machine's own network. Docker asks this chain first, and leaves it as it is.
iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || iptables -w -N DOCKER-USER
set -- DOCKER-USER --destination 169.254.169.254 --protocol tcp ! --dport 53 --jump REJECT
iptables -w --check "$@" 2>/dev/null || iptables -w --insert "$@"
