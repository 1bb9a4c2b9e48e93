"""A twin in the environment for every option that has none: SUMMARIES_COST_JOBS for `cost --jobs`."""

import click


def give_twins(name: str, command: click.Command, prefix: str) -> None:
    """Name the variables of a command, and of those under it, by their flags; help tells them."""
    own_prefix = f"{prefix}_{_in_capitals(name)}"
    if isinstance(command, click.Group):
        for each_name, each in command.commands.items():
            give_twins(each_name, each, own_prefix)
    for option in command.params:
        if isinstance(option, click.Option):
            flag = max(option.opts, key=len).lstrip("-")
            option.envvar = option.envvar or f"{own_prefix}_{_in_capitals(flag)}"
            option.show_envvar = True


def _in_capitals(name: str) -> str:
    return name.replace("-", "_").upper()
