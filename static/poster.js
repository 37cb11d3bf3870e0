// The poster as a picture: drawn here, where there is a font for its words.
const button = document.querySelector("#png");
const poster = document.querySelector("img.poster");
if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    await poster.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 1500, height: 2400 });
    canvas.getContext("2d").drawImage(poster, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: button.dataset.name });
      link.click();
      URL.revokeObjectURL(link.href);
      button.removeAttribute("aria-busy");
    });
  });
}
