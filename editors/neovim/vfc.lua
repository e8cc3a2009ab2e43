-- Neovim 0.11 or later: put this file into ~/.config/nvim/lsp/ and write `vim.lsp.enable("vfc")` in init.lua.
-- `:VfcGraph` shows the picture of the flow in a browser.
return {
  cmd = { "vfc", "lsp" },
  filetypes = { "yaml" },
  root_markers = { "vfc.toml", "pyproject.toml", ".git" },
  on_attach = function(client, buffer)
    vim.api.nvim_buf_create_user_command(buffer, "VfcGraph", function()
      client:request("vfc/graph", { uri = vim.uri_from_bufnr(buffer) }, function(problem, picture)
        if problem or picture.html == "" then
          vim.notify(problem and problem.message or picture.reason, vim.log.levels.WARN)
          return
        end
        local file = vim.fn.tempname() .. ".html"
        vim.fn.writefile(vim.split(picture.html, "\n"), file)
        vim.ui.open(file)
      end, buffer)
    end, { desc = "Show the picture of this flow" })
  end,
}
