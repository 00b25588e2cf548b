# SPDX-License-Identifier: BSD-2-Clause
# Completion of flightrec and flightrecd for bash. Commands, options and formats are asked of the
# programs themselves, so that nothing here grows old.

_flightrec_options() { # PROGRAM [COMMAND]
	"$@" --help 2>/dev/null | sed -n 's/^ \{1,\}\(-[a-zA-Z], \)\{0,1\}\(--[a-z][a-z0-9-]*\).*/\2/p'
	echo --help
}

_flightrec_commands() { # PROGRAM
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p'
}

_flightrec_formats() { # PROGRAM
	"$1" convert --to '?' 2>&1 | sed -n 's/.*there are: //p'
}

_flightrec_words() { # WORDS...: those that begin like the word to be completed
	mapfile -t COMPREPLY < <(compgen -W "$*" -- "$current")
}

_flightrec_files() { # what a dump may be called
	mapfile -t COMPREPLY < <(compgen -d -- "$current"; compgen -f -X '!*.frd' -- "$current")
	compopt -o filenames 2>/dev/null
}

_flightrec() {
	local program=$1 current=$2 previous=$3
	COMPREPLY=()
	if [ "$COMP_CWORD" -le 1 ]; then
		_flightrec_words "$(_flightrec_commands "$program")" --help --version
		return
	fi
	case $previous in
	--to)
		_flightrec_words "$(_flightrec_formats "$program")"
		return
		;;
	--compression)
		_flightrec_words gzip none
		return
		;;
	-o | --output | --control | --certificate | --client-certificate | --client-key)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
		return
		;;
	--from | --until | --pid | --comm | --min-duration | --trace-id) return ;;
	--reason | --endpoint | --header | --timeout | --retry-for) return ;;
	esac
	case $current in
	-*) _flightrec_words "$(_flightrec_options "$program" "${COMP_WORDS[1]}")" ;;
	*)
		case ${COMP_WORDS[1]} in
		convert | info | verify) _flightrec_files ;;
		esac
		;;
	esac
}

_flightrecd_values() { # PROGRAM OPTION: what it may be, which a wrong value makes it say
	"$1" --config /dev/null --check-config "$2" '?' 2>&1 | sed -n 's/.* is none of: //p'
}

_flightrecd() {
	local program=$1 current=$2 previous=$3
	COMPREPLY=()
	case $previous in
	--families | --redact | --codec | --hooks | --log-level)
		_flightrec_words "$(_flightrecd_values "$program" "$previous")"
		return
		;;
	--trigger)
		_flightrec_words "$("$program" --config /dev/null --check-config --trigger '?=on' 2>&1 |
			sed -n 's/.* is none of: //p' | tr ' ' '\n' | sed 's/$/=on/; p; s/on$/off/')"
		return
		;;
	--keep-query)
		_flightrec_words on off
		return
		;;
	--ring-size | --post-window | --latency-limit | --cooldown | --max-per-day | --nice) return ;;
	--dump-quota | --dump-max-files | --dump-min-free | --max-sockets | --on-dump*) return ;;
	--filter-* | --capture-*) return ;;
	esac
	case $current in
	-*) _flightrec_words "$(_flightrec_options "$program")" ;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		compopt -o filenames 2>/dev/null
		;;
	esac
}

complete -F _flightrec flightrec
complete -F _flightrecd flightrecd
