"""The machines themselves: what every other test relies on."""

import concurrent.futures

from suite.case import case

UNREAD = bytes(300_000)


@case("000", "commands", nodes=1, limit=60, filesystems=("cohfs", "gfs2", "ocfs2"))
def commands(trial):
    """How a command in a guest ended is learnt even if it leaves its input unread."""
    def one(_number):
        return trial.rig.feed(0, ["sh", "-c", "exit 3"], UNREAD)

    # several at once, so that one's end falls together with another's input
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, range(trial.size(60, 1000))))
    wrong = [result for result in results if result.status != 3]
    trial.check(not wrong, f"{len(wrong)} of {len(results)}: {wrong[:1]}")
