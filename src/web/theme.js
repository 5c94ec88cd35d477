/* Runs before anything is drawn: the theme that was chosen, so that no page flashes in the other. */
try {
  const kept = localStorage.getItem('theme');
  if (kept === 'light' || kept === 'dark') document.documentElement.dataset.theme = kept;
} catch { /* no storage: the system's theme it is */ }
