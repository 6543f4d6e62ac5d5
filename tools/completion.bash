# Completion of make's targets and knobs in this project, for bash; in zsh after bashcompinit.
#
#   source tools/completion.bash
#
# Nothing is run for it: targets and knobs are read from Makefile and config.env. In any other folder
# make is completed as it was before.

_dots_ocr_make() {
  local word=${COMP_WORDS[COMP_CWORD]} words
  COMPREPLY=()
  if ! [ -f tools/completion.bash ]; then
    [ -z "$_dots_ocr_before" ] || "$_dots_ocr_before" "$@"
    return
  fi
  if [ "$word" = = ] || [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
    return # behind NAME= comes a file, which bash itself completes where we have nothing
  fi
  words=$(
    sed -n 's/^\([a-z][a-z-]*\):.*##.*/\1/p' Makefile
    sed -n 's/^\([A-Z][A-Z_]*=\).*/\1/p' config.env
  )
  while IFS= read -r word; do
    COMPREPLY+=("$word")
    case $word in *=) compopt -o nospace 2>/dev/null ;; esac # unknown to bash 3, which puts a space
  done < <(compgen -W "$words" -- "$word")
}

case $(complete -p make 2>/dev/null) in
  *' -F _dots_ocr_make '*) ;; # sourced twice
  *' -F '*) _dots_ocr_before=$(complete -p make | sed 's/.* -F \([^ ]*\) .*/\1/') ;;
  *) _dots_ocr_before= ;;
esac
complete -o default -F _dots_ocr_make make
