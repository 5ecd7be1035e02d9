"use strict";
(() => {
  // Reloads the page when the program was started again or a template changed. One tab of a browser listens and tells
  // the others: browsers open only six connections to a server, and each listener keeps one.
  const script = document.currentScript;
  const start = script.dataset.start || document.documentElement.dataset.start;
  if (!start || window.costrelRefresh) return;
  window.costrelRefresh = start;
  const events = "/__costrel__/events";
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("costrel-refresh") : null;

  // Who has just followed a link gets there: a reload would call that off.
  const patience = 10_000; // ms: the program may be starting again just now
  let left = -patience;
  addEventListener("beforeunload", () => { left = performance.now(); });

  const reload = (reason) => {
    const rest = left + patience - performance.now();
    if (rest > 0) {
      setTimeout(reload, rest, reason);
      return;
    }
    // Should a cache keep a page of an earlier start, reloading it once is enough.
    const mark = "costrel-reloaded-for";
    if (reason !== "change" && sessionStorage.getItem(mark) === reason + location.href) return;
    if (reason !== "change") sessionStorage.setItem(mark, reason + location.href);
    location.reload();
  };

  const hear = (message) => {
    if (message.kind === "start" && message.data !== start) reload(message.data);
    else if (message.kind === "change") reload("change");
    else if (message.kind === "style") restyle();
  };

  const restyle = () => {
    for (const link of document.querySelectorAll("link[rel~=stylesheet]")) {
      const url = new URL(link.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("refreshed", Date.now());
      link.href = url;
    }
  };

  // After the end of a stream the browser connects again by itself, after the stream's short `retry`: timers of hidden
  // tabs are slow. If there is no server for longer, it is asked less often.
  let failures = 0;
  const connect = () => {
    const source = new EventSource(events);
    source.addEventListener("open", () => { failures = 0; });
    source.addEventListener("error", () => {
      failures += 1;
      if (failures <= 20) return;
      source.close();
      setTimeout(connect, 200);
    });
    for (const kind of ["start", "change", "style"]) {
      source.addEventListener(kind, (event) => {
        const message = { kind, data: event.data };
        if (channel) channel.postMessage(message);
        hear(message);
      });
    }
  };
  const listen = () => new Promise(connect);

  if (channel) channel.addEventListener("message", (event) => hear(event.data));
  if (navigator.locks && channel) navigator.locks.request("costrel-refresh", listen);
  else listen();
})();
