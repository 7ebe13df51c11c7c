// Shows what the bar would mean where the slider stands: its number, its row of the table, its place in the curves.
const slider = document.querySelector("#bar");
const value = document.querySelector("#bar-value");
const outlook = document.querySelector("#outlook");
const now = document.querySelector(".bars-chart .now");
const headings = [...document.querySelectorAll(".bars thead th")].slice(1).map((cell) => cell.textContent.trim());

slider.addEventListener("input", () => {
  const bar = Number(slider.value);
  value.textContent = String(bar);
  for (const row of document.querySelectorAll("[data-bar]")) {
    const here = Math.abs(Number(row.dataset.bar) - bar) < 0.001;
    if (!here) { row.removeAttribute("aria-current"); continue; }
    row.setAttribute("aria-current", "true");
    const cells = [...row.children].slice(1).map((cell, index) => `${headings[index]}: ${cell.textContent.trim()}`);
    outlook.textContent = cells.join(" · ");
  }
  now?.setAttribute("x1", String(bar * 100));
  now?.setAttribute("x2", String(bar * 100));
});
