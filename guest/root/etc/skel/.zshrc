# Read by interactive zsh. Yours to change.
HISTFILE=~/.zsh_history
HISTSIZE=50000
SAVEHIST=50000
setopt append_history inc_append_history hist_ignore_dups hist_ignore_space interactive_comments
bindkey -e
autoload -Uz compinit && compinit
PROMPT='%n@%m %~ %(?..[%?] )%# '
