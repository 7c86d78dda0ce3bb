// SPDX-License-Identifier: MIT

package complete

// The scripts ask the program itself, "callwright complete -- WORDS", for the
// candidates, one on each line with a tab before its meaning.
const (
	bash = `# Completion of callwright for bash. In ~/.bashrc: source <(callwright completion bash)
_callwright() {
	local word
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		COMPREPLY+=("$word")
	done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _callwright callwright
`
	zsh = `#compdef callwright
# Completion of callwright for zsh. In ~/.zshrc, behind compinit: source <(callwright completion zsh)
_callwright() {
	local line
	local -a found
	for line in "${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		[[ -n "$line" ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( ${#found} )); then
		_describe callwright found
	else
		_files
	fi
}
compdef _callwright callwright
`
	fish = `# Completion of callwright for fish. In ~/.config/fish/config.fish: callwright completion fish | source
function __callwright
	set -l words (commandline -opc) (commandline -ct)
	$words[1] complete -- $words[2..] 2>/dev/null
end
complete -c callwright -n 'count (__callwright) >/dev/null' -f -a '(__callwright)'
complete -c callwright -n 'not count (__callwright) >/dev/null' -F
`
)

// Script gives the script of a shell: bash, zsh or fish.
func Script(shell string) string {
	return map[string]string{"bash": bash, "zsh": zsh, "fish": fish}[shell]
}
