// The shop that this program belongs to. The address must stand under “request 合法域名” in WeChat's console.
module.exports = {
  server: "https://shop.example.com",
};
