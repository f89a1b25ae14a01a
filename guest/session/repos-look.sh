# Which of the project's repos are there? Arguments: folder names below ~/code.
# Prints one line for each: "have", "missing", or "taken" (something else has the name).
#
# Repos are made in ~/code/.partial.RUN and renamed when they are whole: what is left there was killed on the way.
set -u
code=$HOME/code

mkdir -p "$code" || exit 1
rm -rf "$code"/.partial.*
for name in "$@"; do
        if [ -e "$code/$name/.git" ]; then
                echo have
        elif [ -e "$code/$name" ] || [ -L "$code/$name" ]; then
                # An empty folder is nobody's.
                if rmdir "$code/$name" 2>/dev/null; then echo missing; else echo taken; fi
        else
                echo missing
        fi
done
