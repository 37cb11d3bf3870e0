// WeChat asks before the first use of something private; this sheet asks in the shop's words, and answers for the buyer.

/** @type {any[]} sheets of the pages that stand, the newest last */
const sheets = [];

if (wx.onNeedPrivacyAuthorization) {
  wx.onNeedPrivacyAuthorization((/** @type {any} */ resolve) => {
    const sheet = sheets[sheets.length - 1];
    if (sheet) sheet.ask(resolve);
    else resolve({ event: "disagree" });
  });
}

Component({
  data: { open: false, contract: "《小程序隐私保护指引》" },

  lifetimes: {
    attached() {
      sheets.push(this);
    },
    detached() {
      const at = sheets.indexOf(this);
      if (at >= 0) sheets.splice(at, 1);
      this.answer({ event: "disagree" });
    },
  },

  methods: {
    /** @this {any} */
    ask(resolve) {
      this.resolve = resolve;
      wx.getPrivacySetting({
        success: ({ privacyContractName }) => this.setData({ contract: privacyContractName }),
        complete: () => this.setData({ open: true }),
      });
    },

    read() {
      wx.openPrivacyContract({});
    },

    agree() {
      this.answer({ event: "agree", buttonId: "agree" });
    },

    disagree() {
      this.answer({ event: "disagree" });
    },

    /** @this {any} */
    answer(what) {
      if (!this.resolve) return;
      const { resolve } = this;
      this.resolve = null;
      this.setData({ open: false });
      resolve(what);
    },
  },
});
