"""A twin in the environment for every option that has none: SUMMARIES_COST_JOBS for `cost --jobs`."""

import click


def give_twins(group: click.Group, prefix: str) -> None:
    """Name the variables of a group's commands by their flags, those of its groups too; help tells them."""
    for name, command in group.commands.items():
        own_prefix = f"{prefix}_{_in_capitals(name)}"
        if isinstance(command, click.Group):
            give_twins(command, own_prefix)
        for option in command.params:
            if isinstance(option, click.Option):
                flag = max(option.opts, key=len).lstrip("-")
                option.envvar = option.envvar or f"{own_prefix}_{_in_capitals(flag)}"
                option.show_envvar = True


def _in_capitals(name: str) -> str:
    return name.replace("-", "_").upper()
