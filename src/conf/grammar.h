/*
 * Our tables as libConfuse wants them. Every key is a text whose parse
 * callback gets it with its place in the file; types are our business.
 */
#ifndef ZOMBIE_CONF_GRAMMAR_H
#define ZOMBIE_CONF_GRAMMAR_H

#include <confuse.h>

#include "conf/option.h"

/* What happens as libConfuse reads; each returns 0, or -1 to stop. */
struct conf_grammar_calls {
    cfg_callback_t set;     /* a key gets a value, or a list one more */
    cfg_callback_t open;    /* a titled section opens; cfg is the section. Must return 0. */
    cfg_func_t include;     /* include("FILE") */
    cfg_errfunc_t complain; /* libConfuse found an error */
};

/* A parser for files of these sections, or NULL without memory. Free with cfg_free(). */
cfg_t *conf_grammar_new(const struct conf_handler *const *handlers,
                        const struct conf_grammar_calls *calls);

#endif
