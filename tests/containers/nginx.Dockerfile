# In the place of nginx:stable, which would have to be downloaded: Debian's, run as that one is.
FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -qy --no-install-recommends nginx-light && \
    rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/default
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
