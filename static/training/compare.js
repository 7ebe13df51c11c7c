// Two jobs' curves over each other, from what the page brings.
import { Curves } from "./curves.js";

const jobs = JSON.parse(document.getElementById("points").textContent);
const curves = new Curves(document.getElementById("curves"), jobs.map((job) => job.name));
jobs.forEach(({ points }, series) => {
  for (const point of points) curves.add(point, series);
});
curves.draw();
