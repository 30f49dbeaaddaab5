# nomad job run api.nomad.hcl
#
# The service. Nomad registers its instances by itself, in its own registry or, with
# provider = "consul", in Consul: there is no section `registry`.
job "api" {
  type = "service"

  update {
    max_parallel     = 1
    canary           = 1
    auto_promote     = true
    min_healthy_time = "5s"
  }

  group "api" {
    count = 3

    network {
      port "http" { to = 3000 }
      port "admin" { to = 9090 }
    }

    service {
      name     = "api"
      port     = "http"
      provider = "nomad"

      # /readyz is 503 while none of its workers serve, and once it is told to end.
      check {
        type     = "http"
        port     = "admin"
        path     = "/readyz"
        interval = "2s"
        timeout  = "2s"
      }
    }

    # Out of the registry first; TERM comes so much later.
    shutdown_delay = "5s"

    task "zombie-server" {
      driver = "docker"

      config {
        image   = "zombie-server:0.1.0"
        command = "zombie-server"
        args    = ["-c", "/local/zombie-server.conf"]
        ports   = ["http", "admin"]
      }

      # More than grace_ms, 8 s.
      kill_timeout = "15s"

      template {
        destination   = "local/zombie-server.conf"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = <<EOF
listen "0.0.0.0:3000" {
}
log {
    format = json
}
EOF
      }

      # Beyond loopback the admin role needs a token; probes never do.
      template {
        destination = "secrets/admin.env"
        env         = true
        data        = <<EOF
ZOMBIE_ADMIN=0.0.0.0:9090
ZOMBIE_ADMIN_TOKEN={{ with nomadVar "nomad/jobs/api" }}{{ .admin_token }}{{ end }}
EOF
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
