/*
 * Frames from anybody, to either side: whatever decodes is a message, and that
 * message has exactly these bytes.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Returns 1 when the bytes are a frame that this sender may send. */
static int decode(const uint8_t *data, size_t size, enum message_sender sender)
{
    struct message message;
    uint8_t frame[MESSAGE_SIZE];

    if (message_decode(data, size, sender, &message) != 0)
        return 0;
    check(message_encode(&message, frame) == size && memcmp(frame, data, size) == 0);
    check(strcmp(message_name(message.type), "?") != 0);
    check(!message_has_descriptor(message.type) || message.log.fd == -1);
    check(message.type != MESSAGE_LOG_LEVEL || message.log_level.level <= LOG_LEVEL_DEBUG);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int taken = decode(data, size, MESSAGE_FROM_MASTER) + decode(data, size, MESSAGE_FROM_WORKER);

    check(taken <= 1);
    return 0;
}
