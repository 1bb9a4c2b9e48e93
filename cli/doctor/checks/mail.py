"""Whether what SNS mails arrives: AWS sends nothing to an address that has not confirmed."""

from collections.abc import Iterator, Mapping

from cli.doctor.registry import Trouble, wrong


def unconfirmed(address: str, subscriptions: Mapping[str, bool], *, what: str) -> Iterator[Trouble]:
    """Say why `what` does not arrive at an address; nothing where there is none, or it has confirmed."""
    if not address:
        return
    confirmed = subscriptions.get(address)
    if confirmed is None:
        yield wrong(
            f"{what} are to go to {address}, which is not subscribed (any more)",
            "deploy again, then confirm in the mail that AWS sends",
        )
    elif not confirmed:
        yield wrong(
            f"{address} has not confirmed: no {what} arrive there",
            "confirm in the mail from AWS Notifications; it ends after three days, and another comes if the"
            " subscription is deleted and the stack deployed again",
        )
