/*
 * What a member is in etcd and ZooKeeper: a name below PREFIX/SERVICE/, "HOST:PORT", and a value,
 * a JSON object as nginx's upsync module has it, with more: {"weight":1,"max_fails":2,
 * "fail_timeout":10,"down":0,"host":"10.0.0.5","port":3000,"metadata":{"zone":"a"}}. Pure.
 */
#ifndef ZOMBIE_DISCOVERY_PAYLOAD_H
#define ZOMBIE_DISCOVERY_PAYLOAD_H

#include <stddef.h>

#include "conf/registry.h"
#include "discovery/driver.h"
#include "discovery/member.h"

#define PAYLOAD_NAME_SIZE MEMBER_PLACE_SIZE

/* The name of the instance: "10.0.0.5:3000", "[2001:db8::5]:3000". */
void payload_name(const struct driver_record *record, char buf[PAYLOAD_NAME_SIZE]);

/* The value of the instance, which is down while its status is not UP. Allocated; NULL: out of
 * memory. */
char *payload_write(const struct conf_registry *conf, const struct driver_record *record);

/*
 * Read a member. Keys that are missing have the values of member_init(); host and port those of
 * the name; so an empty value is enough. Returns 0, or -EINVAL: the name, the value or a number
 * makes no sense, and *ret_member is untouched.
 */
__attribute__((warn_unused_result)) int payload_read(const char *name, size_t name_len,
                                                     const char *value, size_t value_len,
                                                     struct member *ret_member);

#endif
