// Keys that come before the page can take them, heard from its first moment on. A browser throws keys away until it has drawn the
// page: of what a scanner sends then, or with its first sign so soon after, the beginning is lost, for between two of its signs lies up to
// as long as ends a label. A form may have come without its button yet. The script of the page goes on.
{
  // Whoever opens the shop has no label half read.
  const SOON = document.referrer ? 300 : 30;
  const early = (window.early = { drawn: Infinity, last: -Infinity, keys: 0, typed: 0, ended: false });
  if (!PerformanceObserver.supportedEntryTypes?.includes("paint")) early.drawn = 0;
  new PerformanceObserver((seen) => (early.drawn = Math.min(early.drawn, seen.getEntries()[0].startTime))).observe({ type: "paint", buffered: true });
  early.isRest = ({ timeStamp }) => timeStamp - early.drawn < SOON;
  const listen = (event) => {
    const { key, target } = event;
    const unready = target.matches?.("input") && target.form?.method === "post" && !target.form.querySelector("button");
    if (key === "Enter" && (early.keys || unready)) return event.preventDefault(), (early.ended ||= early.keys + early.typed > 0);
    if (key.length > 1) return;
    const field = target.matches?.("input, textarea, select");
    if (field) early.typed += 1;
    if (!field || early.isRest(event)) early.keys += 1;
    early.last = event.timeStamp;
  };
  addEventListener("keydown", listen, true);
  early.end = () => removeEventListener("keydown", listen, true);
}
