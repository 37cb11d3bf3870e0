// The phone's camera as a scanner: what it reads goes into a field, as if it had been typed. The browser's own reader is used
// where there is one; else a decoder is loaded, only now and only here.
const FORMATS = ["code_128", "code_39", "ean_13", "qr_code", "itf", "codabar", "data_matrix"];

async function reader() {
  if ("BarcodeDetector" in window) {
    const able = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((format) => able.includes(format));
    if (formats.includes("code_128") && formats.includes("qr_code")) {
      const detector = new BarcodeDetector({ formats });
      return async (video) => (await detector.detect(video))[0]?.rawValue;
    }
  }
  await new Promise((done, fail) => {
    document.head.append(Object.assign(document.createElement("script"), { src: "/static/vendor/zxing.min.js", onload: done, onerror: fail }));
  });
  const { MultiFormatReader, BinaryBitmap, HybridBinarizer, HTMLCanvasElementLuminanceSource } = window.ZXing;
  const multi = new MultiFormatReader();
  const canvas = document.createElement("canvas");
  return async (video) => {
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, 0, 0);
    try {
      return multi.decode(new BinaryBitmap(new HybridBinarizer(new HTMLCanvasElementLuminanceSource(canvas)))).getText();
    } catch {
      return null;
    }
  };
}

/** Opens the camera over the page, until something was read or somebody closes it. */
export async function scan() {
  const dialog = Object.assign(document.createElement("dialog"), { className: "camera" });
  dialog.setAttribute("aria-label", "用相机扫码");
  dialog.innerHTML = '<video playsinline muted></video><p role="status">对准条码或二维码…</p><form method="dialog"><button class="btn lg">关闭</button></form>';
  document.body.append(dialog);
  dialog.showModal();
  const [video, words] = [dialog.querySelector("video"), dialog.querySelector("p")];
  let open = true;
  let stream;
  dialog.addEventListener("close", () => (open = false));
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    video.srcObject = stream;
    await video.play();
    const read = await reader();
    while (open) {
      const found = video.videoWidth ? await read(video) : null;
      if (found) return found.trim();
      await new Promise((done) => setTimeout(done, 120));
    }
  } catch (error) {
    words.textContent = error.name === "NotAllowedError" ? "没有相机权限：请在浏览器设置里允许，或手动输入。" : "打不开相机，请手动输入。相机只在 https 的地址上可用。";
    await new Promise((done) => (open ? dialog.addEventListener("close", done) : done()));
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
    dialog.remove();
  }
  return null;
}
