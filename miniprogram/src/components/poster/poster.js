// Sharing: to somebody in WeChat, or as a poster in the album. The shop says where everything stands; the words are drawn
// here, where there is a font for them.
const api = require("../../utils/api");

const FONT = "-apple-system, 'PingFang SC', sans-serif";

/** Loads a picture for a canvas. */
const loaded = (canvas, url) =>
  new Promise((resolve, reject) => {
    const picture = canvas.createImage();
    picture.onload = () => resolve(picture);
    picture.onerror = () => reject(new Error("图片没有取到，请再试一次"));
    picture.src = api.media(url);
  });

/** The way around a box with round corners. */
function rounded(pen, { x, y, width, height, radius }) {
  pen.beginPath();
  pen.moveTo(x + radius, y);
  pen.arcTo(x + width, y, x + width, y + height, radius);
  pen.arcTo(x + width, y + height, x, y + height, radius);
  pen.arcTo(x, y + height, x, y, radius);
  pen.arcTo(x, y, x + width, y, radius);
  pen.closePath();
}

/** Fills the box with the middle of the picture. */
function fill(pen, picture, box) {
  const scale = Math.max(box.width / picture.width, box.height / picture.height);
  const [w, h] = [box.width / scale, box.height / scale];
  pen.save();
  rounded(pen, box);
  pen.clip();
  pen.drawImage(picture, (picture.width - w) / 2, (picture.height - h) / 2, w, h, box.x, box.y, box.width, box.height);
  pen.restore();
}

async function draw(canvas, poster) {
  const pictures = await Promise.all(poster.pictures.map((one) => loaded(canvas, one.url)));
  canvas.width = poster.width;
  canvas.height = poster.height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = poster.background;
  pen.fillRect(0, 0, poster.width, poster.height);
  poster.pictures.forEach((box, n) => fill(pen, pictures[n], box));
  for (const one of poster.texts) {
    pen.font = `${one.bold ? "bold " : ""}${one.size}px ${FONT}`;
    pen.fillStyle = one.color;
    pen.textAlign = one.align === "middle" ? "center" : "left";
    pen.textBaseline = "alphabetic";
    pen.fillText(one.text, one.x, one.y);
  }
}

Component({
  data: { open: false, drawing: false, drawn: false, denied: false, problem: "" },

  methods: {
    /** @this {any}
     * @param {string} id of the product */
    begin(id) {
      this.id = id;
      this.setData({ open: true, drawing: false, drawn: false, denied: false, problem: "" });
    },

    /** @this {any} */
    close() {
      this.setData({ open: false, drawing: false, drawn: false });
    },

    /** @this {any} */
    async make() {
      this.setData({ drawing: true, problem: "" });
      try {
        const poster = await api.look(`/products/${this.id}/poster`);
        this.canvas = await this.sheet();
        await draw(this.canvas, poster);
        if (this.data.open) this.setData({ drawn: true });
      } catch ({ message }) {
        this.setData({ drawing: false, problem: message });
      }
    },

    /** The canvas, once it stands.
     * @this {any} */
    sheet() {
      return new Promise((resolve, reject) => {
        const found = (all) => (all[0] && all[0].node ? resolve(all[0].node) : reject(new Error("画布没有准备好，请再试一次")));
        wx.createSelectorQuery().in(this).select("#paper").fields({ node: true, size: true }).exec(found);
      });
    },

    /** @this {any} */
    save() {
      wx.canvasToTempFilePath({
        canvas: this.canvas,
        fileType: "png",
        success: ({ tempFilePath }) => this.keep(tempFilePath),
        fail: () => this.setData({ problem: "海报没有存成图片，请再试一次" }),
      });
    },

    /** @this {any} */
    opened({ detail }) {
      if (detail.authSetting["scope.writePhotosAlbum"]) this.setData({ denied: false, problem: "" });
    },

    /** @this {any} */
    keep(filePath) {
      wx.saveImageToPhotosAlbum({
        filePath,
        success: () => {
          wx.showToast({ title: "存到相册了", icon: "none" });
          this.close();
        },
        fail: ({ errMsg }) => {
          if (/auth/.test(errMsg)) this.setData({ denied: true, problem: "没有得到写相册的允许：点“去设置”打开，再存一次" });
          else if (!/cancel/.test(errMsg)) this.setData({ problem: "没有存成，请再试一次" });
        },
      });
    },
  },
});
