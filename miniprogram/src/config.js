// The shop that this program belongs to. The address must stand under 合法域名 (request, uploadFile, downloadFile) in WeChat's console.
module.exports = {
  server: "https://shop.example.com",
};
