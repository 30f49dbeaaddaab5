"""The servers side by side: who takes part, and by which names."""
from peers.go import Go
from peers.gunicorn import Gunicorn
from peers.haproxy import HAProxy
from peers.nginx import Nginx, NginxProxy, Upstream
from peers.node import Express, Node
from peers.zombie import Zombie, ZombieProxy

OURS = Zombie.name
SERVERS = (Zombie, Nginx, Express, Node, Go, Gunicorn)
PROXIES = (ZombieProxy, NginxProxy, HAProxy)
NAMES = list(dict.fromkeys(kind.name for kind in (*SERVERS, *PROXIES) if kind.name != OURS))

__all__ = ["NAMES", "OURS", "PROXIES", "SERVERS", "Upstream"]
