# etcd as Debian has it: one member, for trying out. It keeps nothing beyond its life.
FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -qy --no-install-recommends etcd-server && \
    rm -rf /var/lib/apt/lists/*
USER etcd
EXPOSE 2379
CMD ["etcd", "--data-dir=/var/lib/etcd/default", \
     "--listen-client-urls=http://0.0.0.0:2379", "--advertise-client-urls=http://etcd:2379"]
