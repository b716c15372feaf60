// What a browser kept of a page that is there. TBT is what tasks take beyond 50 ms of the page's time after
// its first paint, as it is defined (https://web.dev/articles/tbt).
(async () => {
  const kept = (type) => new Promise((tell) => {
    const found = [];
    const take = (entries) => found.push(...entries);
    const observer = new PerformanceObserver((list) => take(list.getEntries()));
    observer.observe({ type, buffered: true });
    setTimeout(() => {
      take(observer.takeRecords());
      observer.disconnect();
      tell(found);
    }, 100);
  });
  const types = ["paint", "largest-contentful-paint", "layout-shift", "longtask"];
  const [paints, largest, shifts, tasks] = await Promise.all(types.map(kept));
  const painted = paints.find(({ name }) => name === "first-contentful-paint").startTime;
  const blocked = tasks.map(({ startTime, duration }) =>
    Math.max(0, startTime + duration - Math.max(startTime, painted) - 50));
  const sum = (numbers) => numbers.reduce((whole, each) => whole + each, 0);
  return {
    lcp: largest.at(-1).startTime,
    tbt: sum(blocked),
    cls: sum(shifts.filter((shift) => !shift.hadRecentInput).map(({ value }) => value)),
  };
})();
