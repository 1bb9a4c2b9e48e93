// Looks again and again: as often as a look says, seldom while nobody sees the page, ever less where it fails.

const HIDDEN_SECONDS = 60, MOST_SECONDS = 60;

/** Call `look` until stopped; it returns how many seconds to wait. What it throws goes to `failed`. */
export function poll(look, failed) {
  let timer = 0, failures = 0, isStopped = false, isLooking = false, isWanted = false;

  async function turn() {
    clearTimeout(timer);
    isWanted = isLooking; // what was changed during a look is not in it
    if (isStopped || isLooking) return;
    isLooking = true;
    let seconds;
    try {
      seconds = await look();
      if (failures && !isStopped) failed(null);
      failures = 0;
    } catch (error) {
      failures += 1;
      seconds = Math.min(2 ** failures, MOST_SECONDS);
      if (!isStopped) failed(error);
    }
    isLooking = false;
    if (isWanted) turn();
    else if (!isStopped) timer = setTimeout(turn, 1000 * (document.hidden ? Math.max(seconds, HIDDEN_SECONDS) : seconds));
  }

  function seen() {
    if (!document.hidden) turn();
  }

  document.addEventListener("visibilitychange", seen);
  turn();
  return {
    now: turn,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
