"""A resident lets go of a home, or of the address that they write from; asked once before it is done."""

from uuid import UUID

from bot import register
from bot.desk import Choice
from workflows import forms, where, wording
from workflows.binding import become, words
from workflows.forms import Form
from workflows.talk import Talk, is_bound

NAME = "binding"


def start(talk: Talk) -> None:
    """Which one is asked for where there are several homes; the whole address is always one of them."""
    assert talk.desk.incoming is not None
    if not is_bound(talk.desk):
        talk.reply("binding.none")
        talk.end("application", "answered")
        return
    homes = talk.desk.homes if len(talk.desk.homes) > 1 else []
    communities = list(talk.desk.world.communities.values())
    labels = [where.label(where.of_home(home, communities), talk.language) for home in homes[:2]]
    form = forms.new_form(NAME, talk.desk.now)
    form.ask("unbind", [{"home": str(home.id)} for home in homes[:2]] + [{"home": ""}])
    form.data["labels"] = [*labels, talk.text("binding.all_of_it")]
    talk.touch(form)
    _offer(talk, form)


def _offer(talk: Talk, form: Form) -> None:
    options = [Choice(str(n), label) for n, label in enumerate(form.data["labels"], 1)]
    talk.offer(options)
    if len(options) == 1:
        talk.ask("binding.unbind_sure")
    else:
        talk.ask("binding.unbind_which", choices=wording.choices(options, talk.language))
    talk.end("application", "confirming" if len(options) == 1 else "choosing")


def ask_again(talk: Talk, form: Form) -> None:
    _offer(talk, form)


def resume(talk: Talk, form: Form) -> bool:
    answer, count = talk.said.answer, len(form.choices)
    number = answer.choice if answer.kind == "choice" else 1 if talk.said.yes and count == 1 else None
    if number is None and (talk.said.denies or talk.said.cancels or words.keeps(talk.said.text)):
        talk.memory.drop(form)
        talk.reply("binding.kept")
        talk.end("application", "answered")
        return True
    if number is None or not 1 <= number <= count:
        talk.memory.drop(form)
        return False
    talk.memory.drop(form)
    home_id = form.choices[number - 1]["home"]
    home = next((home for home in talk.desk.homes if str(home.id) == home_id), None)
    if home is not None:
        register.sleep(talk.desk, home)
        talk.reply("binding.unbound_home", home=form.data["labels"][number - 1])
    else:
        leave(talk)
        talk.reply("binding.unbound")
    talk.end("application", "answered")
    return True


def leave(talk: Talk) -> None:
    """The address is nobody's from now on."""
    assert talk.desk.incoming is not None
    identity_id: UUID = talk.desk.incoming.identity.id
    register.settle_all(talk.desk, identity_id, "ended", was="active")
    if not register.part(talk.desk, identity_id):
        become.later(talk.desk, identity=identity_id)
