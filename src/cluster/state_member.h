/*
 * The members of struct state as rows: state.c writes and frees by them,
 * state_decode.c reads by them. For the files state*.c only.
 */
#ifndef ZOMBIE_CLUSTER_STATE_MEMBER_H
#define ZOMBIE_CLUSTER_STATE_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The C type of a member; in brackets how JSON shows it, where that is not plain. */
enum state_kind {
    STATE_INT, /* int, pid_t */
    STATE_UINT32,
    STATE_INT64,
    STATE_UINT64, /* any value (beyond INT64_MAX: the negative number of the same bits) */
    STATE_BOOL,
    STATE_SLOT,   /* enum slot_state (its name) */
    STATE_UUID,   /* uint8_t[16] (36 characters) */
    STATE_TEXT,   /* char[max + 1] (each byte is one character, U+0001 to U+00FF) */
    STATE_STRING, /* char *, allocated (likewise) */
    STATE_LIST,   /* pointer to allocated structs (array of objects) */
    STATE_KINDS
};

/* No two members of one kind of name have the same value, wherever they are. */
enum state_name {
    STATE_NO_NAME,
    STATE_DESCRIPTOR,
    STATE_PLACE,
    STATE_PID,
    STATE_WORKER,
};

struct state_member {
    const char *key;
    enum state_kind kind;
    enum state_name name;
    size_t offset;
    int64_t min; /* of a number, of a text's bytes, of a list's elements */
    int64_t max;
    bool optional;       /* a number may be -1, a string NULL (null) */
    bool printable;      /* a text has no control bytes */
    uint32_t since;      /* the first version of the state that has it; 0: all have */
    size_t count_offset; /* STATE_LIST: of its size_t */
    size_t element_size;
    const struct state_member *element_members;
};

/* Of struct state, in the order of the text; the last key is NULL. */
extern const struct state_member state_members[];

#endif
