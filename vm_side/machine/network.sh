#!/bin/sh
# As root: let containers with a network of their own, such as the model's, only resolve names at
# the cloud's metadata server. Otherwise it would give them a token of this machine's account. The
# job and Dask use the machine's own network. Docker asks this chain first, and does not change it.
iptables -w -n -L DOCKER-USER >/dev/null 2>&1 || iptables -w -N DOCKER-USER
set -- DOCKER-USER --destination 169.254.169.254 --protocol tcp ! --dport 53 --jump REJECT
iptables -w --check "$@" 2>/dev/null || iptables -w --insert "$@"
