// The list of jobs: the state and progress of those that are not done, followed over their sockets.
import { LiveSocket } from "../site/socket.js";
import { ENDED, showStatus } from "./states.js";

const MOST_FOLLOWED = 8;

for (const row of [...document.querySelectorAll("#jobs [data-live]")].slice(0, MOST_FOLLOWED)) {
  const socket = new LiveSocket(`/ws/jobs/${row.dataset.id}/?after=999999999`, {
    onMessage: ({ job }) => {
      if (!job) return;
      showStatus(row.querySelector(".status"), job.status);
      const bar = row.querySelector("progress");
      bar.hidden = !job.steps || ENDED.includes(job.status);
      bar.max = job.steps || 1;
      bar.value = job.step;
      row.querySelector(".figures").textContent = job.figures.loss === undefined ? "" : `loss ${job.figures.loss.toFixed(3)}`;
      if (ENDED.includes(job.status)) socket.close();
    },
  });
}
