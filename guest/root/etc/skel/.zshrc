# Read by interactive zsh. Yours to change. What isn't installed is skipped.
HISTFILE=~/.zsh_history
HISTSIZE=50000
SAVEHIST=50000
setopt append_history inc_append_history hist_ignore_dups hist_ignore_space interactive_comments prompt_subst
bindkey -e
typeset -U path
path=(~/.local/bin ~/bin $path)

autoload -Uz compinit vcs_info add-zsh-hook && compinit
zstyle ':completion:*' menu select
zstyle ':vcs_info:git:*' formats ' %b'
add-zsh-hook precmd vcs_info
PROMPT='%n@%m %~${vcs_info_msg_0_} %(?..[%?] )%# '

alias ll='ls -l --color=auto' g=git gs='git status' gd='git diff' gl='git log --oneline --graph'
(( $+commands[batcat] )) && alias bat=batcat
(( $+commands[direnv] )) && eval "$(direnv hook zsh)"
for file in /usr/share/doc/fzf/examples/{key-bindings,completion}.zsh \
        /usr/share/zsh-autosuggestions/zsh-autosuggestions.zsh \
        /usr/share/zsh-syntax-highlighting/zsh-syntax-highlighting.zsh; do
        [[ ! -r $file ]] || source $file
done
unset file
