"""Changing everything under load: not one request fails, and the master stays who it is."""

import signal

from lib.load import Load
from witness import Journal, Scales, children

RELOADS = 30
UPGRADES = 10
BETWEEN = 2000  # answers, so that each change meets traffic

ANSWERS = 'route "/generation" {{ handler = text body = "{}" }}'


def report(figure, load):
    figure(f"{load.total} in {load.seconds:.1f} s")
    for name, tally in load.tallies.items():
        figure(f"  {name}: {tally}")


def test_reloads_under_load_fail_no_request(start, conf, figure):
    server = start("-c", conf.path)
    scales = Scales(server)
    with Load(server.address) as load:
        for generation in range(2, RELOADS + 2):
            load.wait_for_answers(BETWEEN)
            conf.write(ANSWERS.format(generation))
            server.send_signal(signal.SIGHUP)
            server.wait_for_log(f"reloaded: generation {generation} serves after")
        load.wait_for_answers(BETWEEN)
    report(figure, load)
    load.assert_flawless()
    Journal(server).wait_for_strength(2)
    assert server.fetch("/generation").text == str(RELOADS + 1)
    assert server.serving[0].pid in children(server.pid)
    figure(scales.assert_nothing_leaked())
    assert sorted(server.workers) == list(range(1, 2 * RELOADS + 3))


def test_upgrades_under_load_fail_no_request(start, conf, figure):
    server = start("-c", conf.path)
    instance = server.instance
    journal = Journal(server)
    with Load(server.address) as load:
        for n in range(1, UPGRADES + 1):
            load.wait_for_answers(BETWEEN)
            server.send_signal(signal.SIGUSR2)
            goes_on = f"goes on after an upgrade instance={instance} pid={server.pid} "
            server.wait_for_log(goes_on, n)
            server.wait_for_log(f"reloaded: generation {n + 1} serves after")
            if n == 1:
                journal.wait_for_strength(2)
                scales = Scales(server)  # as it is after an exec
        load.wait_for_answers(BETWEEN)
    report(figure, load)
    load.assert_flawless()
    journal.wait_for_strength(2)
    assert server.serving[0].pid in children(server.pid)
    assert not journal.complaints
    figure(f"instance {instance} and pid {server.pid} as before")
    assert journal.forked == list(range(1, 2 * UPGRADES + 3))
    figure(scales.assert_nothing_leaked())
