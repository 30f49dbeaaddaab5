# nomad job run front.nomad.hcl
#
# What stands in front: a template lists the instances that Nomad knows, and each
# change of the list is a reload, which loses no request and keeps what is known of
# the servers that stay.
job "front" {
  type = "service"

  group "front" {
    count = 2

    network {
      port "http" {
        static = 8080
        to     = 8080
      }
    }

    service {
      name     = "front"
      port     = "http"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/healthcheck"
        interval = "2s"
        timeout  = "2s"
      }
    }

    task "zombie-server" {
      driver = "docker"

      config {
        image   = "zombie-server:0.1.0"
        command = "zombie-server"
        args    = ["-c", "/local/zombie-server.conf"]
        ports   = ["http"]
      }

      kill_timeout = "15s"

      # An upstream must have a server. While there is none, port 9 stands for it, where
      # nobody answers: clients get 502.
      template {
        destination   = "local/zombie-server.conf"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = <<EOF
instance {
    drain_delay_ms = 5000
}
listen "0.0.0.0:8080" {
}
log {
    format = json
}
upstream "api" {
    balance = least_conn
    check {
        path = "/healthcheck"
        interval_ms = 1000
    }
{{- range nomadService "api" }}
    server "{{ .Address }}:{{ .Port }}" {
    }
{{- else }}
    server "127.0.0.1:9" {
    }
{{- end }}
}
route "/" {
    handler = proxy
    upstream = "api"
}
EOF
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
