"""The completion of PowerShell, made from the parser."""

from credproc.commands.completion.command_line import Argument, Command
from credproc.commands.completion.parts import below_of, filled, valued

_POWERSHELL = r"""
# PowerShell completion for credproc, made from its command line
Register-ArgumentCompleter -Native -CommandName credproc -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # By command: the words that follow it, its options, its arguments; NAME is a profile, NAME* several
    $actions = @{
@actions@
    }
    $options = @{
@options@
    }
    $arguments = @{
@arguments@
    }
    # By command and option: what follows it
    $values = @{
@values@
    }

    $command = ''
    $option = ''
    $place = 0
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $text = $element.Extent.Text
        if ($option) { $option = '' }
        elseif ($text -ceq '--') { return }
        elseif ($values.ContainsKey("$command $text")) { $option = $text }
        elseif ($text.StartsWith('-')) { continue }
        elseif ($actions.ContainsKey($command) -and $actions[$command].Contains($text)) {
            $command = "$command $text".Trim()
        }
        else { $place++ }
    }
    $front = ''
    $typed = "$wordToComplete"
    if ($typed -match '^(--[a-z-]+)=(.*)$') {
        $option = $Matches[1]
        $front = "$option="
        $typed = $Matches[2]
    }
    $typed = $typed -replace '^[''"]|[''"]$'

    $offers = [ordered]@{}
    $words = @()
    if ($option) { $words = @($values["$command $option"]) }
    elseif ($arguments.ContainsKey($command)) {
        $words = @($arguments[$command] | Select-Object -Skip $place -First 1)
        if ($arguments[$command][-1] -ceq 'NAME*') { $words = @('NAME') }
        if ($words) { $words = @($words.Split(' ')) }
    }
    elseif ($actions.ContainsKey($command)) { $offers = $actions[$command] }
    foreach ($word in $words) {
        if ($word -cne 'NAME') {
            $offers[$word] = $word
            continue
        }
        $interactive = $env:CREDPROC_INTERACTIVE
        try {
            $env:CREDPROC_INTERACTIVE = 'never'
            foreach ($name in @(credproc completion --names $command 2>$null)) { $offers[$name] = "profile $name" }
        }
        catch { return }
        finally { $env:CREDPROC_INTERACTIVE = $interactive }
    }
    if (-not $option -and ($typed.StartsWith('-') -or $offers.PSBase.Count -eq 0)) { $offers = $options[$command] }

    # PSBase, as a profile may be called Keys
    foreach ($offer in @($offers.PSBase.Keys)) {
        if ($offer.StartsWith($typed, [System.StringComparison]::OrdinalIgnoreCase)) {
            $text = $offer
            # Curly quotes end a string as straight ones do
            if ($text -notmatch '^[\w./+=:-]+$') { $text = "'" + ($text -replace '[''\u2018-\u201B]', '$0$0') + "'" }
            $text = "$front$text"
            [System.Management.Automation.CompletionResult]::new($text, $offer, 'ParameterValue', $offers[$offer])
        }
    }
}
"""


def script(commands: list[Command]) -> str:
    """Return what PowerShell reads; ``commands`` has the main form first."""

    def words(given: list[str] | tuple[str, ...]) -> str:
        return ", ".join(map(_powershell_quoted, given))

    def table(pairs: list[tuple[str, str]]) -> str:
        inner = "\n".join(f"            {_powershell_quoted(key)} = {_powershell_quoted(text)}" for key, text in pairs)
        return f"[ordered]@{{\n{inner}\n        }}"

    actions, options, arguments, values = [], [], [], []
    for command in commands:
        name = _powershell_quoted(command.name)
        options.append(f"        {name} = {table([(one.flag, one.help) for one in command.options])}")
        if command.actions:
            below = [(one.word, one.help) for one in below_of(command, commands)]
            actions.append(f"        {name} = {table(below)}")
        if command.arguments:
            arguments.append(f"        {name} = @({words([_place(one) for one in command.arguments])})")
    for command, option in valued(commands):
        offered = ["NAME"] if option.takes_profile else list(option.choices)
        values.append(f"        {_powershell_quoted(f'{command.name} {option.flag}')} = @({words(offered)})")
    return filled(
        _POWERSHELL,
        actions="\n".join(actions),
        options="\n".join(options),
        arguments="\n".join(arguments),
        values="\n".join(values),
    )


def _place(argument: Argument) -> str:
    if argument.is_profile:
        return "NAME*" if argument.is_many else "NAME"
    return " ".join(argument.words)


def _powershell_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
