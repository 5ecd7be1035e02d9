// Search in a site that is opened from a folder: browsers refuse workers there, so an inner frame stands in for one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise((resolve) => {
        window.addEventListener("message", (event) => {
          if (event.source !== frame.contentWindow) return;
          if (event.data === "worker ready") return resolve();
          const message = new MessageEvent("message", { data: event.data.answer });
          this.dispatchEvent(message);
          if (this.onmessage) this.onmessage(message);
        });
      });
      const source = JSON.stringify(String(new URL(url, document.baseURI)));
      frame.srcdoc = `<script>
        const outside = parent;
        const load = (url) => new Promise((done, failed) => {
          const script = document.createElement("script");
          Object.assign(script, { src: url, onload: done, onerror: failed });
          document.head.append(script);
        });
        window.importScripts = async (...urls) => { for (const url of urls) await load(url); };
        window.postMessage = (answer) => outside.postMessage({ answer }, "*");
        addEventListener("message", (event) => {
          if (event.source === outside) return;
          event.stopImmediatePropagation();
        }, true);
        load(${source}).then(() => outside.postMessage("worker ready", "*"));
      <\/script>`;
      this.frame = frame;
      document.body.append(frame);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data, source: window })));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
