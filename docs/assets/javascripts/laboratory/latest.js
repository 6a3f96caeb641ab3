/* Latest input wins: while one run is on its way, only the newest wish waits. */

/** Return a function that runs `work(wish)`, one at a time, and skips what is old. */
export function latestWins(work) {
  let isBusy = false;
  let waiting = null;

  async function serve() {
    isBusy = true;
    while (waiting) {
      const { wish } = waiting;
      waiting = null;
      try {
        await work(wish, () => waiting !== null);
      } catch (error) {
        reportError(error);
      }
    }
    isBusy = false;
  }

  return (wish) => {
    waiting = { wish };
    if (!isBusy) serve();
  };
}
