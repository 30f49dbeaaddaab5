# Completion of zombiectl for bash; needs nothing but bash itself.

# The numbers of the slots that the server has; a dead or silent one has none.
_zombiectl_slots()
{
    timeout 1 zombiectl "$@" status --json 2>/dev/null |
        grep -o '"slot": *[0-9]*' | grep -o '[0-9]*$' | sort -nu
}

_zombiectl()
{
    local commands='status top events logs reload upgrade restart scale drain kill stop
        reopen-logs log-level config chaos ping version help'
    local signals='HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CONT STOP'
    local common='--socket --json --colour --version --help -s -V -h'
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' words='' operands=0 word i
    local -a socket=()

    # "=" is a word of its own in COMP_WORDS.
    if [[ $current == = ]]; then
        current=''
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        -s | --socket)
            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
            ((i++))
            ((i < COMP_CWORD)) && socket=(-s "${COMP_WORDS[i]}")
            ;;
        -n | --lines | --worker | --colour | --color)
            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
            ((i++))
            ;;
        -[0-9]*) ((operands++)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=$word
            else
                ((operands++))
            fi
            ;;
        esac
    done

    COMPREPLY=()
    case $previous in
    -s | --socket)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --colour | --color) words='auto always never' ;;
    -n | --lines | --worker | --rate | --for | --seed | --min-serving | --allow | --connections | --url)
        return
        ;;
    --mode) words='kill segv hang exit' ;;
    *)
        case $command:$operands in
        :0) words=$commands ;;
        help:0) words=$commands ;;
        restart:0 | kill:0) words="$(_zombiectl_slots "${socket[@]}") admin" ;;
        drain:0) words=$(_zombiectl_slots "${socket[@]}") ;;
        kill:1) words=$signals ;;
        log-level:0) words='error warning info debug' ;;
        chaos:0) words=run ;;
        esac
        if [[ $current == -* ]]; then
            words=$common
            case $command in
            events) words+=' --follow -f' ;;
            logs) words+=' --follow --lines --worker -f -n' ;;
            stop) words+=' --fast' ;;
            chaos) words+=' --mode --rate --for --seed --min-serving --allow --connections --url' ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _zombiectl zombiectl
