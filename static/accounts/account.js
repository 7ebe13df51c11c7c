// The account page: copies a new key.
import { copy } from "../site/notices.js";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(document.querySelector(button.dataset.copy).textContent, button);
});
