// Applies the remembered theme before the page is painted; a plain script in <head>, not a module, for that reason.
// "light" or "dark" is kept only while it differs from the system's choice, so that the site follows the system again.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  let kept = null;
  try { kept = localStorage.getItem("theme"); } catch { /* storage may be switched off */ }
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;

  const current = () => root.dataset.theme ?? (system.matches ? "dark" : "light");

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = current() === "dark" ? "light" : "dark";
    const isSystems = (next === "dark") === system.matches;
    if (isSystems) delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (isSystems) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch { /* the choice lasts for this page then */ }
  });
})();
