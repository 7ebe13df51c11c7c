// What every page does: the current link of a row that scrolls is in sight, menus close by Escape and by a click
// elsewhere, forms that delete ask first.
import { confirmed } from "./notices.js";

for (const link of document.querySelectorAll("nav [aria-current]")) {
  const row = link.closest("nav");
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
}

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.preventDefault();
});

document.addEventListener("toggle", (event) => {
  const opened = event.target;
  if (!(opened instanceof HTMLDetailsElement) || !opened.open || !opened.classList.contains("menu")) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== opened) menu.open = false;
}, true);

// A form with data-confirm asks first.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  if (!await confirmed(form.dataset.confirm, gettext("Delete"), form.dataset.confirmDetail)) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit();
});

// A form that a page sends twice makes two things: its button rests once pressed.
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[method=post]") && !event.defaultPrevented) {
    setTimeout(() => event.target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
  }
});
addEventListener("pageshow", () => {
  document.querySelectorAll("form[method=post] button:disabled").forEach((button) => { button.disabled = false; });
});
