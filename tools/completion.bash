# Completes make's targets and knobs in this project, in bash; in zsh, run bashcompinit first.
#
#   source tools/completion.bash
#
# It does not run make: it reads targets and knobs from Makefile and config.env. In any other folder,
# the completion of make works as before.

_dots_ocr_make() {
  local word=${COMP_WORDS[COMP_CWORD]} words
  COMPREPLY=()
  if ! [ -f tools/completion.bash ]; then
    [ -z "$_dots_ocr_before" ] || "$_dots_ocr_before" "$@"
    return
  fi
  if [ "$word" = = ] || [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
    return # after NAME= comes a file: bash itself completes it if we offer nothing
  fi
  words=$(
    sed -n 's/^\([a-z][a-z-]*\):.*##.*/\1/p' Makefile
    sed -n 's/^\([A-Z][A-Z_]*=\).*/\1/p' config.env
  )
  while IFS= read -r word; do
    COMPREPLY+=("$word")
    case $word in *=) compopt -o nospace 2>/dev/null ;; esac # bash 3 has no compopt, and adds a space
  done < <(compgen -W "$words" -- "$word")
}

case $(complete -p make 2>/dev/null) in
  *' -F _dots_ocr_make '*) ;; # this file was sourced before
  *' -F '*) _dots_ocr_before=$(complete -p make | sed 's/.* -F \([^ ]*\) .*/\1/') ;;
  *) _dots_ocr_before= ;;
esac
complete -o default -F _dots_ocr_make make
