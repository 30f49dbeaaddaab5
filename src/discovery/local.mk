# Folder src/discovery: clients of registries, and what is known of other services.
libzombie_a_SOURCES += \
	%D%/advertise.c %D%/advertise.h \
	%D%/backoff.c %D%/backoff.h \
	%D%/base64.c %D%/base64.h \
	%D%/basic_auth.c %D%/basic_auth.h \
	%D%/cache.c %D%/cache.h \
	%D%/directory.c %D%/directory.h \
	%D%/discovery.c %D%/discovery.h \
	%D%/discovery_state.h \
	%D%/driver.c %D%/driver.h \
	%D%/http_answer.c \
	%D%/http_client.c %D%/http_client.h \
	%D%/http_client_state.h \
	%D%/http_pool.c %D%/http_pool.h \
	%D%/identity.c %D%/identity.h \
	%D%/json_text.c %D%/json_text.h \
	%D%/leave.c \
	%D%/lookups.c %D%/lookups.h \
	%D%/member.c %D%/member.h \
	%D%/registration.c %D%/registration.h \
	%D%/selection.c %D%/selection.h \
	%D%/session.c \
	%D%/tidings.c \
	%D%/tls_client.c %D%/tls_client.h \
	%D%/registries/consul_wire.c %D%/registries/consul_wire.h \
	%D%/registries/distributor_follow.c %D%/registries/distributor_follow.h \
	%D%/registries/distributor_wire.c %D%/registries/distributor_wire.h \
	%D%/registries/driver_consul.c \
	%D%/registries/driver_distributor.c \
	%D%/registries/driver_etcd.c \
	%D%/registries/driver_eureka.c \
	%D%/registries/etcd_follow.c %D%/registries/etcd_follow.h \
	%D%/registries/etcd_json.c %D%/registries/etcd_json.h \
	%D%/registries/etcd_link.c %D%/registries/etcd_link.h \
	%D%/registries/etcd_members.c %D%/registries/etcd_members.h \
	%D%/registries/etcd_wire.c %D%/registries/etcd_wire.h \
	%D%/registries/eureka_wire.c %D%/registries/eureka_wire.h \
	%D%/registries/frame.c %D%/registries/frame.h \
	%D%/registries/payload.c %D%/registries/payload.h \
	%D%/registries/rest.c %D%/registries/rest.h \
	%D%/registries/rest_wire.c %D%/registries/rest_wire.h \
	%D%/registries/traits.c %D%/registries/traits.h \
	%D%/registries/zookeeper_state.h \
	%D%/registries/zookeeper_wire.c %D%/registries/zookeeper_wire.h

if HAVE_ZOOKEEPER
libzombie_a_SOURCES += \
	%D%/registries/driver_zookeeper.c \
	%D%/registries/zookeeper_look.c \
	%D%/registries/zookeeper_server.c \
	%D%/registries/zookeeper_task.c
endif
