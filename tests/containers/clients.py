"""What clients do to two containers by way of a balancer: they ask, and they kill workers."""

import concurrent.futures

from lib import client
from lib.load import Kind, Load

N_KILLS = 500
KINDS = [Kind("GET keep-alive", "/hello"), Kind("GET new connection", "/hello", keep_alive=False)]


def kill_workers(address, containers, figure):
    """While others ask: nobody may notice, and each of the containers must have lost some."""

    def deaths():
        return [one.log.count(" died: exited with status 0") for one in containers]

    def kill(_):
        return client.fetch(address, "/workerKiller").status

    before = deaths()
    with Load(address, KINDS) as load:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(kill, range(N_KILLS)))
        load.wait_for_answers(100)
    assert set(answers) == {200}
    killed = [after - n for after, n in zip(deaths(), before)]
    figure(f"{N_KILLS} calls killed {killed} workers; beside them {load.total}")
    # By weight; and calls may meet a worker that is about to go already.
    assert all(n > N_KILLS / 50 for n in killed)
    load.assert_flawless()
