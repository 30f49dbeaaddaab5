# Completion of zombiectl for bash; needs nothing but bash itself.

# The numbers of the slots that the server has; a dead or silent one has none.
_zombiectl_slots()
{
    timeout 1 zombiectl "$@" status --json 2>/dev/null |
        grep -o '"slot": *[0-9]*' | grep -o '[0-9]*$' | sort -nu
}

# The titles of the upstreams (key "title"), the servers of one ("name", with its title behind), or
# services (key "service"). None that bash would expand is offered.
_zombiectl_upstreams()
{
    local key=$1
    shift
    timeout 1 zombiectl "$@" --json 2>/dev/null |
        grep -o "\"$key\": *\"[][A-Za-z0-9_./:-]*\"" | cut -d '"' -f 4 | sort -u
}

_zombiectl()
{
    local commands='status top events logs reload upgrade restart scale drain upstream
        discover kill stop reopen-logs log-level config chaos ping version help'
    local signals='HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM CONT STOP'
    local common='--socket --json --colour --version --help -s -V -h'
    local command='' words='' operands=0 word i
    local -a socket=() given=() typed=()

    # Bash ends a word at each colon; these are the words as they were typed.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i > 1)) && [[ $word =~ ^:+$ || ${COMP_WORDS[i - 1]} =~ ^:+$ ]]; then
            typed[-1]+=$word
        else
            typed+=("$word")
        fi
    done
    local last=$((${#typed[@]} - 1))
    local current=${typed[last]} previous=${typed[last - 1]}
    local kept=${current%"${COMP_WORDS[COMP_CWORD]}"}
    [[ ${COMP_WORDS[COMP_CWORD]} =~ ^:+$ ]] && kept=$current

    # "=" is a word of its own.
    if [[ $current == = ]]; then
        current=''
    elif [[ $previous == = ]]; then
        previous=${typed[last - 2]}
    fi

    for ((i = 1; i < last; i++)); do
        word=${typed[i]}
        case $word in
        -s | --socket)
            [[ ${typed[i + 1]} == = ]] && ((i++))
            ((i++))
            ((i < last)) && socket=(-s "${typed[i]}")
            ;;
        -n | --lines | --worker | --colour | --color | --choose | --key)
            [[ ${typed[i + 1]} == = ]] && ((i++))
            ((i++))
            ;;
        -[0-9]*) ((operands++)) ;;
        -*) ;;
        *)
            if [[ -z $command ]]; then
                command=$word
            else
                given[operands]=$word
                ((operands++))
            fi
            ;;
        esac
    done

    COMPREPLY=()
    case $previous in
    -s | --socket)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        COMPREPLY=("${COMPREPLY[@]#"$kept"}")
        return
        ;;
    --colour | --color) words='auto always never' ;;
    --choose) words='round_robin random sticky' ;;
    -n | --lines | --worker | --key | --rate | --for | --seed | --min-serving | --allow | --connections | --url)
        return
        ;;
    --mode) words='kill segv hang exit' ;;
    *)
        case $command:$operands in
        :0) words=$commands ;;
        help:0) words=$commands ;;
        restart:0 | kill:0) words="$(_zombiectl_slots "${socket[@]}") admin herald" ;;
        drain:0) words=$(_zombiectl_slots "${socket[@]}") ;;
        kill:1) words=$signals ;;
        upstream:0) words="drain undrain $(_zombiectl_upstreams title "${socket[@]}" upstream)" ;;
        upstream:1)
            [[ ${given[0]} =~ ^(un)?drain$ ]] &&
                words=$(_zombiectl_upstreams title "${socket[@]}" upstream)
            ;;
        upstream:2)
            [[ ${given[0]} =~ ^(un)?drain$ ]] &&
                words=$(_zombiectl_upstreams name "${socket[@]}" upstream "${given[1]}")
            ;;
        discover:0) words=$(_zombiectl_upstreams service "${socket[@]}" discover) ;;
        log-level:0) words='error warning info debug' ;;
        chaos:0) words=run ;;
        esac
        if [[ $current == -* ]]; then
            words=$common
            case $command in
            events) words+=' --follow -f' ;;
            logs) words+=' --follow --lines --worker -f -n' ;;
            stop) words+=' --fast' ;;
            upstream) words+=' --no-wait' ;;
            discover) words+=' --watch --choose --key' ;;
            chaos) words+=' --mode --rate --for --seed --min-serving --allow --connections --url' ;;
            esac
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}

complete -F _zombiectl zombiectl
