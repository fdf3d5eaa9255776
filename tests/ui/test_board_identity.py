"""Every message to the board says what the figures in it are of."""

import json

from tests.browser.messages import NAMES, ServerState, next_message

MOONS, SPIRALS = ServerState("moons"), ServerState("spirals")


def test_every_figure_of_a_message_names_what_it_belongs_to():
    client: dict = {}
    identities = []
    for shown in (MOONS, SPIRALS, SPIRALS, MOONS, MOONS._replace(variant="borders"), MOONS._replace(edition="2")):
        message = json.loads(next_message(shown, client, "key"))
        identities.append(message["head"]["identity"])
        assert {name for _, name, _ in message["bases"]} <= set(NAMES)
    assert identities[1] == identities[2]
    assert len(set(identities)) == 5
