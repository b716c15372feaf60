// A stage's own client: it is told when to look again, and says when all is shown.

import { refresh } from "../refresh.js";

const shown = () => parent.postMessage("rb-workshop-shown", location.origin);

addEventListener("rb-workshop-refresh", async () => {
  await refresh();
  shown();
});
// What is fetched first is what later versions are compared with.
addEventListener("load", async () => {
  await refresh();
  shown();
});
