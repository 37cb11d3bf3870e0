// Keys that come before the page can take them, seen from its first moment on: of what a scanner sends then, or with its first
// sign so soon, the beginning is lost. The script of the page asks about it.
{
  const SOON = 60;
  const early = (window.early = { since: performance.now(), keys: 0, typed: 0, ended: false });
  const listen = (event) => {
    const { key, target, timeStamp } = event;
    const field = target.matches?.("input, textarea, select");
    if (key.length === 1 && field) early.typed += 1;
    if (key.length === 1 && (!field || timeStamp - early.since < SOON)) early.keys += 1;
    else if (key === "Enter" && early.keys) event.preventDefault(), (early.ended = true);
  };
  addEventListener("keydown", listen, true);
  early.end = () => removeEventListener("keydown", listen, true);
}
